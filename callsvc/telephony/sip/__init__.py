"""Calls by SIP: the node stands between a trunk or a PBX and the operator's telephone, as a back-to-back agent.

description   SDP: what a peer offers, what we answer
admission     who may call, how often
door          the UDP port: nobody's datagrams but the peers' come further
stack         sippy, which knows SIP's transactions and dialogs, on asyncio's clock
dialog        one dialog, and what sippy leaves to do in it
rtcp          sender and receiver reports
media         one leg's sound: RTP, RTCP, digits
relay         sound from leg to leg without a call around it: early media, and when something of ours fails
sound         what both legs have agreed on, and agree on anew
line          where calls to a number go
call          one call: two dialogs, and what each says to the other
trunk         all of it: takes calls, registers, answers OPTIONS

    trunk ──INVITE──► caller's dialog ─┐        ┌─ operator's dialog ──INVITE──► telephone
          ◄──RTP────► caller's media ──┴─ Call ─┴─ operator's media ◄──RTP─────►
"""
