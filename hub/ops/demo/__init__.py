"""`clinic-hub demo`: real clients use the running hub, and the judge checks every promise afterwards."""
