"""Order and stock, then payment and fulfilment at the same time, with a Wait that is meant to be long enough."""
