dnl SPDX-License-Identifier: BSD-2-Clause
dnl
dnl sendmail-outbound.m4 - Sendmail logs in at the next hop with what Postern
dnl gives it, and never sends without a login that is due
dnl
dnl For sendmail.mc, behind the last MAILER():
dnl
dnl	define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
dnl	define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')dnl
dnl	define(`confCACERT_PATH', `/etc/ssl/certs')dnl
dnl	include(`/usr/share/postern/sendmail-outbound.m4')dnl
dnl
dnl In front of the include(), if the defaults are not right:
dnl
dnl	POSTERN_OUTBOUND_SOCKET	`unix:/run/postern/outbound', which is
dnl		authd.socketmap_socket.  Sendmail refuses a socket below a
dnl		directory that everybody may write to.
dnl	POSTERN_OUTBOUND_NAME	`default': the binding that it asks for.
dnl	POSTERN_OUTBOUND_WAIT	`10': seconds for an answer.
dnl	POSTERN_OUTBOUND_TLS	`secure': no login without TLS whose
dnl		certificate is good and has the name that the mail is routed
dnl		to, of SMART_HOST, the mailer table or the recipient.
dnl		`verify': the name of the server counts, as DNS tells it.
dnl		`none': none of this.
dnl
dnl By itself, Sendmail sends without a login when the look-up fails, when the
dnl login is refused and when the server has no AUTH.  Here each connection
dnl passes three rule sets, and a macro tells the next one what has been found:
dnl
dnl	tls_server	before any login: is one due?  PosternState is none,
dnl			due, insecure (it is due, and TLS is not good enough)
dnl			or, whatever the matter is, unknown.
dnl	authinfo	where the server has AUTH and a login is due.
dnl			PosternState is given:SERVER when Sendmail has been
dnl			told a user and a password.
dnl	tls_rcpt	before each recipient: without a login where none is
dnl			due, with one where it was given for this connection;
dnl			else the recipient waits.  (Not earlier: a connection
dnl			that tls_server refuses makes Sendmail give up the
dnl			server for all other mail of a queue run.)
dnl
dnl Whether Sendmail has logged in is told by {auth_type} of the connection.
dnl Where that is not set, the one of the session in which the message came in
dnl would show through; so that is overwritten before it is read.  (8.17 sets
dnl it for each connection.)  Where no login is due, or none can be told, the
dnl log of Sendmail has "AUTH=client, mech=none", since authinfo has said so.
dnl
dnl Postern is told the queue id under which the message was taken, which is
dnl another one when Sendmail splits an envelope: {PosternMsg}, kept in the
dnl queue.  Bounces inherit it; they are known by their sender.
divert(-1)
ifdef(`POSTERN_OUTBOUND_SOCKET', `',
    `define(`POSTERN_OUTBOUND_SOCKET', `unix:/run/postern/outbound')')
ifdef(`POSTERN_OUTBOUND_NAME', `', `define(`POSTERN_OUTBOUND_NAME', `default')')
ifdef(`POSTERN_OUTBOUND_WAIT', `', `define(`POSTERN_OUTBOUND_WAIT', `10')')
ifdef(`POSTERN_OUTBOUND_TLS', `', `define(`POSTERN_OUTBOUND_TLS', `secure')')

define(`_POSTERN_KEY_',
    `id:$&i;msg:$&{PosternMsg};to:$&{server_name};hop:$&h;from:$&f')

dnl A connection that is kept would carry the next message, which may belong to
dnl somebody else.
define(`confMCI_CACHE_SIZE', `0')

divert(0)dnl
VERSIONID(`sendmail-outbound.m4 of Postern')
LOCAL_CONFIG
Kposternmacro macro
K`'POSTERN_OUTBOUND_NAME socket -f -t -d`'POSTERN_OUTBOUND_WAIT -T<TMPF> POSTERN_OUTBOUND_SOCKET
C{persistentMacros} {PosternMsg}
ifelse(POSTERN_OUTBOUND_TLS, `none', `', `O SetCertAltnames=true
')dnl
LOCAL_TLS_SERVER
R$*			$: $(posternmacro {PosternVerify} $@ $1 $)
R$*			$: $(posternmacro {PosternState} $@ unknown $)
R$*			$: $(posternmacro {auth_type} $@ none $)
dnl a program and no server: one word, the name of its mailer
R$*			$: $&{server_addr}
R$-			$@ $(posternmacro {PosternState} $@ none $) ok
R$*			$: <$&{auth_type}>
R<>			$: <none>
R<none>			$: ask
R<$*>			$@ $(posternmacro {PosternState} $@ elsewhere $) ok
Rask			$: <$(POSTERN_OUTBOUND_NAME authinfo:due:_POSTERN_KEY_ $: ? $)>
R<$&i none>		$@ $(posternmacro {PosternState} $@ none $) ok
R<$&i due>		$: $>PosternSecure $&{PosternVerify}
Rsecure			$@ $(posternmacro {PosternState} $@ due $) ok
Rinsecure		$@ $(posternmacro {PosternState} $@ insecure $) ok
R$*			$@ ok

SPosternSecure
ifelse(POSTERN_OUTBOUND_TLS, `none', `R$*			$@ secure
', `ROK			$: verified
RTRUSTED		$: verified
Rverified		$: <ifelse(POSTERN_OUTBOUND_TLS, `verify', `$&{server_name}', `$&h')>
R<[$*]>			$: <$1>
R<$+.>			$: <$1>
R<$={cert_altnames}>	$@ secure
R<$-.$+>		$: <*.$2>
R<$={cert_altnames}>	$@ secure
R$*			$@ insecure
')dnl

LOCAL_TLS_RCPT
R$*			$: $(posternmacro {auth_type} $@ none $)
R$*			$: <$&{auth_type}:$&{PosternState}>
R<:$*>			$: <none:$1>
R<none:none>		$@ ok
R<none:given:$*>	$#error $@ 4.7.8 $: "450 4.7.8 The server has refused our login"
R<$-:given:$&{server_name}:$&{server_addr}>	$@ ok
R<none:due>		$#error $@ 4.7.0 $: "450 4.7.0 A login is due, and the server has no AUTH"
R<none:insecure>	$#error $@ 4.7.0 $: "450 4.7.0 A login is due, and TLS is not verified"
R<none:unknown>		$#error $@ 4.3.0 $: "451 4.3.0 Cannot tell whether a login is due"
R$*			$#error $@ 4.7.0 $: "450 4.7.0 Not the login of this message"

dnl What follows stands in front of the rules of access_db and authinfo.
LOCAL_RULE_0
Scheck_data
R$*			$: $1 $(posternmacro {PosternMsg} $@ $&i $)

Sauthinfo
R$*			$: <$&{PosternState}>
R<due>			$: ask
R<$*>			$@ no
Rask			$: <$(POSTERN_OUTBOUND_NAME authinfo:_POSTERN_KEY_ $: ? $)>
R<$&i $+>		$: $(posternmacro {PosternState} $@ given:$&{server_name}:$&{server_addr} $) given $1
Rgiven $+		$# $1
R$*			$# TEMP

SParseLocal
divert(0)dnl
