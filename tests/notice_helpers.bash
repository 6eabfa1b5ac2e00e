# Reading notifications of delivery (RFC 3464).

# report FILE EXPRESSION: of the notification `m`, its fields `fields` (of the message, then of each recipient) and text.
report() {
  python3 - "$1" "$2" <<'END'
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
assert not m.defects, m.defects
assert m.get_content_type() == 'multipart/report' and m.get_param('report-type') == 'delivery-status', m['Content-Type']
text, status, returned = m.iter_parts()
fields = status.get_payload()
words = text.get_content()
print(eval(sys.argv[2]))
END
}
