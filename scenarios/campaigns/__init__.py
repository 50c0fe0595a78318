"""Many runs: jobs (over all cores), sweep, ablation, soak, check_oracle, simulation."""
