"""The pages: server-rendered, in Dutch, without JavaScript."""
