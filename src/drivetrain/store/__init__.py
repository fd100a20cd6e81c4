"""Store floor: the catalog of records, versioned tables, blobs, online rows and leases; ``bundle`` opens all of them."""
