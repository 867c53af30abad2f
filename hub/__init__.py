"""What the api and the agents share: the rules, the record, the bus, the accounts and the command line."""
