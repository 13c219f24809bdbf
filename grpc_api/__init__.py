"""The wire: protos, the inner channel, clients, interceptors and the servers behind them."""
