# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a network boot needs, for the lab's client namespace: BOOTP/DHCP and TFTP, and no more.

usage: pxeserver.py SERVER CLIENT    (their IPv4 addresses)

Whatever is asked for by TFTP, it answers with a script for iPXE that asks again, for ever. A line
"served N" on standard output for each that has arrived whole: a sign of life of a firmware that
both sends and receives."""

import select
import socket
import struct
import sys

SCRIPT = b"""#!ipxe
:again
sleep 1 ||
imgfree ||
imgfetch tftp://${next-server}/again ||
goto again
"""
MAGIC = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
READ, DATA, TFTP_ACK, ERROR = 1, 3, 4, 5


def message_type(options):
    """The DHCP message type; None if there is none."""
    i = 0
    while i + 1 < len(options) and options[i] != 255:
        if options[i] == 0:
            i += 1
        elif options[i] == 53:
            return options[i + 2]
        else:
            i += 2 + options[i + 1]
    return None


def reply(packet, server, client):
    """What a BOOTP server answers, or None."""
    if len(packet) < 241 or packet[0] != 1 or packet[236:240] != MAGIC:
        return None
    answer = {DISCOVER: OFFER, REQUEST: ACK}.get(message_type(packet[240:]))
    if answer is None:
        return None
    head = bytearray(packet[:236])
    head[0] = 2
    head[16:20] = client
    head[20:24] = server
    head[108:236] = b"again".ljust(128, b"\0")
    options = bytes([53, 1, answer, 54, 4]) + server + bytes([51, 4, 0, 1, 0, 0, 1, 4, 255, 255,
                                                              0, 0, 255])
    return bytes(head) + MAGIC + options


def transfer(packet, peer):
    """Serves one TFTP read: the script is one block. Returns its socket, which awaits the ACK."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if struct.unpack("!H", packet[:2])[0] != READ:
        sock.sendto(struct.pack("!HH", ERROR, 4) + b"read only\0", peer)
    else:
        # Options are not acknowledged: then there are none.
        sock.sendto(struct.pack("!HH", DATA, 1) + SCRIPT, peer)
    return sock


def main():
    server, client = (socket.inet_aton(word) for word in sys.argv[1:3])
    dhcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dhcp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    # Which says where a broadcast leaves, too.
    dhcp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    dhcp.bind(("", 67))
    tftp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tftp.bind(("", 69))
    waiting = []
    served = 0
    while True:
        for sock in select.select([dhcp, tftp, *waiting], [], [])[0]:
            packet, peer = sock.recvfrom(2048)
            if sock is dhcp:
                if answer := reply(packet, server, client):
                    dhcp.sendto(answer, ("255.255.255.255", 68))
            elif sock is tftp:
                waiting.append(transfer(packet, peer))
                if len(waiting) > 64:
                    waiting.pop(0).close()
            else:
                waiting.remove(sock)
                sock.close()
                if struct.unpack("!H", packet[:2])[0] == TFTP_ACK:
                    served += 1
                    print("served", served, flush=True)


if __name__ == "__main__":
    main()
