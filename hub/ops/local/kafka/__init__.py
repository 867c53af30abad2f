"""Apache Kafka on one machine: fetched with Maven once, one process, its data in a folder."""
