"""Who was right: rules, oracle (one order), laws (the whole run), judgement, verdict, predictions, isolation, exposure."""
