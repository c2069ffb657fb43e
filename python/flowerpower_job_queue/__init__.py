"""The Python side of FlowerPower Job Queue: describes and runs the pipelines of one project."""

__version__ = "0.1.0"
