"""What a change of the flow costs in each style: `edits` are real changes of the saga that `saga new` makes, `cost` counts what they touch."""
