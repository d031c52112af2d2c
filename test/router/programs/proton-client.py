"""A client with qpid-proton, for tests. It prints one line for each thing that happens.

    proton-client.py receive URL ADDRESS [--hold]   prints each body; --hold: settles nothing; --trace: prints frames as errors
    proton-client.py send URL ADDRESS COUNT         sends 0, 1, 2 ..., prints "accepted COUNT" at the end
    proton-client.py serve URL ADDRESS              answers each request with its body in capitals
    proton-client.py ask URL ADDRESS BODY           prints the answer
    proton-client.py judge URL ADDRESS              settles each message as its body says, such as "released"
    proton-client.py hear URL ADDRESS BODY...       sends these, one after the other, and prints their outcomes
"""

import os
import sys

if "--trace" in sys.argv:
    os.environ["PN_TRACE_FRM"] = "1"

from proton import Condition, Delivery, Message
from proton.handlers import MessagingHandler
from proton.reactor import Container


def say(*words):
    print(*words, flush=True)


class Client(MessagingHandler):
    def __init__(self, url, address, **options):
        super().__init__(**options)
        self.url = url
        self.address = address

    def on_transport_error(self, event):
        say("error", event.transport.condition)
        sys.exit(1)

    def on_link_error(self, event):
        say("error", event.link.remote_condition)
        sys.exit(1)


class Receive(Client):
    def __init__(self, url, address, *options):
        self.holds = "--hold" in options
        super().__init__(url, address, auto_accept=not self.holds)

    def on_start(self, event):
        event.container.create_receiver(event.container.connect(self.url), self.address)

    def on_link_opened(self, event):
        say("ready")

    def on_message(self, event):
        say(event.message.body, event.message.delivery_count)


class Send(Client):
    def __init__(self, url, address, count):
        super().__init__(url, address)
        self.count = int(count)
        self.sent = 0
        self.accepted = 0

    def on_start(self, event):
        event.container.create_sender(event.container.connect(self.url), self.address)

    def on_sendable(self, event):
        while event.sender.credit and self.sent < self.count:
            event.sender.send(Message(body=self.sent))
            self.sent += 1

    def on_accepted(self, event):
        self.accepted += 1
        if self.accepted == self.count:
            say("accepted", self.accepted)
            event.connection.close()


class Serve(Client):
    def on_start(self, event):
        connection = event.container.connect(self.url)
        self.replies = event.container.create_sender(connection, None)
        event.container.create_receiver(connection, self.address)

    def on_link_opened(self, event):
        if event.receiver:
            say("ready")

    def on_message(self, event):
        request = event.message
        self.replies.send(
            Message(address=request.reply_to, correlation_id=request.correlation_id, body=request.body.upper())
        )


class Ask(Client):
    def __init__(self, url, address, body):
        super().__init__(url, address)
        self.body = body

    def on_start(self, event):
        connection = event.container.connect(self.url)
        self.sender = event.container.create_sender(connection, self.address)
        self.replies = event.container.create_receiver(connection, None, dynamic=True)

    def on_link_opened(self, event):
        if event.receiver:
            self.sender.send(Message(reply_to=self.replies.remote_source.address, correlation_id=1, body=self.body))

    def on_message(self, event):
        say(event.message.body)
        event.connection.close()


class Judge(Client):
    def __init__(self, url, address):
        super().__init__(url, address, auto_accept=False)

    def on_start(self, event):
        event.container.create_receiver(event.container.connect(self.url), self.address)

    def on_link_opened(self, event):
        say("ready")

    def on_message(self, event):
        delivery = event.delivery
        outcome = event.message.body
        if outcome == "rejected":
            delivery.local.condition = Condition("app:no", "not this one")
        if outcome == "modified":
            delivery.local.failed = True
            delivery.local.undeliverable = True
            delivery.local.annotations = {"why": "not here"}
        delivery.update(getattr(Delivery, outcome.upper()))
        delivery.settle()


class Hear(Client):
    def __init__(self, url, address, *bodies):
        super().__init__(url, address)
        self.bodies = list(bodies)

    def on_start(self, event):
        self.sender = event.container.create_sender(event.container.connect(self.url), self.address)
        self.waits = False

    def on_sendable(self, event):
        self.send_next()

    def send_next(self):
        if self.bodies and not self.waits:
            self.waits = True
            self.sender.send(Message(body=self.bodies.pop(0)))

    def on_settled(self, event):
        remote = event.delivery.remote
        details = [remote.condition.name, remote.condition.description] if remote.condition else []
        if remote.type == Delivery.MODIFIED:
            details += [remote.failed, remote.undeliverable, *remote.annotations.items()]
        say(remote.type, *details)
        self.waits = False
        self.send_next()


command, *arguments = sys.argv[1:]
COMMANDS = {"receive": Receive, "send": Send, "serve": Serve, "ask": Ask, "judge": Judge, "hear": Hear}
Container(COMMANDS[command](*arguments)).run()
