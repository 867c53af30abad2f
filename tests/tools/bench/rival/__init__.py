"""The service that the hub is measured beside: FastAPI, Motor, APScheduler and python-socketio on MongoDB.

It is what a good engineer would write without Faust: one process, one write to the database for each change, a unique
index against double booking, and a job for each deadline. It has the routes, the socket events and the JSON of the hub
that the bench uses. Where the design leaves a choice, the faster one is taken.

It has fewer promises. A process that dies between the write and its jobs loses a reminder; events that nobody hears are
gone; there is no history and no idempotency key, nobody is texted but by the reminder, and a patient may have two
appointments at once.
"""
