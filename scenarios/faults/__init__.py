"""What breaks: plan (data), space (all of it), planned (as it happens), network, injector, nemesis."""
