"""Weekly lists, and the pages that show them."""
