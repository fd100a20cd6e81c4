"""How complete labels are, and what that does to performance."""
