"""Who is measured: modhost, its peers, and the bare drivers as the limit."""
