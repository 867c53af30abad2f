"""Accounts, passwords, access tokens and login sessions."""
