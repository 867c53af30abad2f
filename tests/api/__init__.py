"""The api in one process: aiohttp's test client over a store in memory and commands that are decided on the spot."""
