"""What a change of a saga costs in each style: folders, lines, deployment, rollout, verdict, and the cost that puts them together."""
