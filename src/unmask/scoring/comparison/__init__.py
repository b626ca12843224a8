"""Several systems on one answer key: who is better than whom, and how sure one can be."""

from unmask.scoring.comparison.comparing import compare
from unmask.scoring.comparison.comparison import Comparison, System
from unmask.scoring.comparison.delong import DeLong, delong

__all__ = ["Comparison", "DeLong", "System", "compare", "delong"]
