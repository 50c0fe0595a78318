"""What a saga costs in money: `counts` of finished runs, `prices` as data, `platforms` with their formulas, `breakeven`."""
