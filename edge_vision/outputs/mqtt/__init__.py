"""The output `mqtt`: state, scenes, events and counts for a broker, commands from it."""

from edge_vision.outputs.mqtt.output import MqttOutput

__all__ = ["MqttOutput"]
