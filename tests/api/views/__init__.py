"""The live views: a doctor's appointments and slots in memory."""
