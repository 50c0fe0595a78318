"""The resources: who keeps which balance, and what an ended order must leave there. The judge compares them with the ledgers."""

from kernel.resources import MONEY, Pool, Resource

RESOURCES = (
    Resource(
        participant="store",
        name="items held",
        unit="pieces",
        due=lambda order: -1,
        pool=Pool(table="shelf", item="item", holds="holds", held={"held": 1, "freed": -1}),
        exposure="stock",
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="till",
        name="money taken",
        unit=MONEY,
        due=lambda order: order.price_cents,
        table="payments",
        rows={"taken_cents": 1},
        exposure="money",
        shown=lambda net: f"{net / 100:.2f}",
    ),
)
