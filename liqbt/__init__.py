"""liqbt: reconstruct liquidation heatmaps without look-ahead, and find out whether their signals hold."""
__version__ = "0.1.0"
