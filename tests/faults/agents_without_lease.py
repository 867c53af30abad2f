"""An agents process that takes for its own whatever the broker lets it fetch."""

from agents import __main__ as agents
from agents.transport import HubApp


def main() -> None:
    HubApp.holds_lease = lambda _: True
    agents.main()


if __name__ == "__main__":
    main()
