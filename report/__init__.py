"""Tables, charts and one page, made from run folders alone; never from a live system."""
