"""The aiohttp and Socket.IO front end: turns requests into commands, and events into what each client may see."""
