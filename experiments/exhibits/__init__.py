"""Exhibits: the authors' configurations, what stands for each here, and what each would cost at
its published size.
"""
