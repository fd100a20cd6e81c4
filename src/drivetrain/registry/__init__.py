"""The registry: numbered versions, the names that point at them, how they came about, and opening them."""
