"""Apache Kafka on one machine: downloaded once with Maven, run as one process with its data in a folder."""
