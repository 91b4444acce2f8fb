"""What the corrector changes on graphs: claims V4 to V9, from runs of all samplers with common
noise.
"""
