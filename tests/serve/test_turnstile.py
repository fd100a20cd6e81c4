from __future__ import annotations

import asyncio

from drivetrain.serve.turnstile import Turnstile


def test_those_who_wait_are_let_through_in_order_and_others_are_heard_between():
    async def crowd():
        turnstile = Turnstile()
        order = []

        async def wait(number):
            await turnstile.pass_through()
            order.append(number)
            if number == 0:
                asyncio.get_running_loop().call_soon(order.append, "another")

        waiting = [asyncio.ensure_future(wait(number)) for number in range(4)]
        await asyncio.sleep(0)
        waiting[1].cancel()  # whoever has gone holds up nobody
        await asyncio.gather(*waiting, return_exceptions=True)
        await turnstile.pass_through()
        return order

    order = asyncio.run(crowd())
    assert [number for number in order if number != "another"] == [0, 2, 3]
    assert order.index("another") < order.index(3)
