"""Failure scenarios, and the judge of what became of them.

Read in this order: scenario, catalog/, fault_plan, wire_faults, systems, run_spec, runner, oracle, laws, exposure,
judgement, verdict, run_folder.
"""
