"""What `saga bench` says: tables, charts and one page from the journal of an experiment."""
