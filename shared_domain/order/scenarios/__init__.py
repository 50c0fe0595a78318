"""One scenario per file; `index` lists them in the order in which a workshop would tell them."""
