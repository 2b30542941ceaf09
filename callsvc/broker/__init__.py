"""The embedded MQTT broker: amqtt behind a gate of our own, on loopback.

    gate        reads a client's CONNECT, checks it, and only then lets the client through
    server      the gate's socket, and the broker behind it
    command     `callsvc broker`

It speaks MQTT 3.1.1, QoS 0 and 1, and keeps nothing on disk. A larger site names a broker of its own in mqtt.url.
"""
