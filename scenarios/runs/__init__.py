"""One run: spec, scenario, environment, driver (customers, faults, settling), runner, folder, processes."""
