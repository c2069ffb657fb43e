"""`@config.when`: which function is the node `price` depends on the config."""

from hamilton.function_modifiers import config


@config.when(customer="member")
def price__member(list_price: float) -> float:
    """Members pay less."""
    return round(list_price * 0.9, 2)


@config.when_not(customer="member")
def price__guest(list_price: float) -> float:
    """Guests pay what the list says."""
    return list_price


def bill(price: float, count: int) -> float:
    """All of them."""
    return price * count
