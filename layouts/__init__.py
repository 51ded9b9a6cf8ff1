"""Every rendering of published scores; none of them computes one."""
