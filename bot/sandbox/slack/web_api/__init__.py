"""The Web API: `app` is the ASGI application (authentication, scopes, response URLs, uploads, injected faults), the other
modules are its methods by family. A method is a function of the workspace and the arguments; it returns what is beside
`ok`, or raises the `SlackError` with which Slack would refuse. Methods that the app does not use are `unknown_method`.
"""
