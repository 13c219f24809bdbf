"""Who a person is: statements of the registrar, the ports behind them, and the sandbox."""
