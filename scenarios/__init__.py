"""Failure stories, and the judge of what became of them.

Read in this order: scenario, catalog/, fault_plan, wire_faults, systems, runner, oracle, verdict, run_folder.
"""
