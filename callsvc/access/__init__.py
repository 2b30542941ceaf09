"""People, their sessions, what they may do, and the trail of what they looked at.

rights      role x action x own or all calls: one table, rights.toml
ownership   whose call it is, and leave to do something with it
people      accounts
totp        codes of an authenticator (RFC 6238)
second_factor  the code after the password
relying_party  for which address passkeys are good
passkey_questions  what a passkey is asked, once
passkeys    the public halves of people's passkeys, and their answers
by_passkey  coming in and unlocking without a password
openid      who somebody is, by the word of the organisation's provider
single_sign_on  the account of who comes back from there
sessions    sign in, sign out, change of password, limit on wrong passwords
lock        a screen that nobody sits before
reasons     a session opens a call with a reason; without one nothing is read
trail       the chain of access events
first       the first administrator and the one-time password
"""
