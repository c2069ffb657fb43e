"""`async def` nodes: two waits at the same time. FlowerPower alone cannot run it."""

import asyncio


async def weather(city: str, seconds: float = 0.2) -> dict[str, float]:
    """As if asked of a service."""
    print(f"asks for the weather of {city}")
    await asyncio.sleep(seconds)
    return {"degrees": float(len(city))}


async def events(city: str, seconds: float = 0.2) -> list[str]:
    """As if asked of another one."""
    print(f"asks what happens in {city}")
    await asyncio.sleep(seconds)
    return [f"market in {city}"]


def page(weather: dict[str, float], events: list[str]) -> str:
    """Both together."""
    return f"{weather['degrees']:.0f} degrees, {', '.join(events)}"
