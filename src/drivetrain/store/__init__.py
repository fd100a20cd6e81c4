"""Store floor: the catalog of records, versioned tables, blobs, online rows, leases; ``bundle`` opens them all."""
