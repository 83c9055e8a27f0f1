/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify_table.h"

/*
 * Every row is a turn of phrase, none is one server's line.  To add one, ask
 * what else could be meant by it: a row that gives NOUSER must not fit a
 * sentence about the client or the sender.
 */

/* Whom a refusal may be about. */
#define WHO                                                             \
 "user*|recipient*|rcpt|mailbox*|account*|address*|alias*|inbox|box|"   \
 "maildrop|person|people|customer*|emailaddress|mailaddress|localpart|" \
 "recepient*|recipent*|adress*|subscriber*"
/* The same for mailboxes that are there: no address, it may be the client's.
 */
#define BOX                                                           \
 "user*|recipient*|rcpt|mailbox*|account*|alias*|inbox|box|maildrop|" \
 "quota|customer*"
#define NOT \
 "not|no|doesnt|dont|didnt|isnt|cannot|cant|couldnt|wasnt|arent|never"
#define US     REFUSAL_US
#define FULL   REFUSAL_MAILBOX
#define NOUSER REFUSAL_NOUSER

/* One row a line, or wrapped by hand. */
/* clang-format off */

/* A row is named by its own source, macros unexpanded. */
#define ROW(class, phrase)		  {NULL, class, phrase, #phrase}
#define STATUS_ROW(status, class, phrase) {status, class, phrase, #phrase}

const struct classify_harmless classify_harmless[] = {
	/* Postfix: "unknown in relay recipient table". */
	{"", "relay", "recipient*"},
	/* Domino: "Addressee unknown, relay=[192.0.2.1]". */
	{"addressee unknown", "relay", "#"},
	/* Exchange: RESOLVER.ADR.RecipNotFound. */
	{"", "resolver", ""},
	/* GMX, web.de: the address of the page that explains. */
	{"messages", "ip", "#"},
	/* What is said to the one who wrote, not to the client. */
	{"", "you", "tried|entered|specified|typed|wrote|used"},
	{"", "you", "have entered|specified|typed|used"},
	{"", "you", "have the correct|right"},
	{"", "you", "are|were trying"},
	{"thank", "you", ""},
	{"", "your", "message|messages|email|mail|letter|envelope|recipient*"},
	{"", "your", "e mail"},
	{"", "votre|vos", "message*|mail*|email*|courriel*"},
	{"", "ihre|deine", "nachricht*|mail*|email*"},
	{"", "su|suo|sua|tu", "mensaje|correo|messaggio|mensagem|email|mail"},
	/* A reply passed on. */
	{"this|our|the|on|at", "host", ""},
	{"", "host", ".. said|returned|says"},
	{"", "remote", "host|server|mta .. said|returned|says"},
	{"", "bounce|bounced", ""},
	{NULL, NULL, NULL},
};

const struct classify_row classify_strong[] = {
	/* The recipient receives too fast: no rate of ours. */
	ROW(FULL, "receiving mail ... rate"),
	ROW(FULL, "receiving mail|messages|email too"),
	ROW(FULL, "policy .. on the target address"),

	/* The sender, whatever else is quoted: a recipient-unknown text within
	 * a sender check is about the sender. */
	ROW(US, "sender*|sending|originat*|outgoing|outbound"),
	ROW(US, "mail|email|messages from"),
	ROW(US, "mailfrom|submission|submitter*"),
	ROW(US, "returned mail"),
	ROW(US, "return|reply|reverse|source|numeric|peer .. address|path"),
	ROW(US, "from @"),
	ROW(US, "envelope from"),
	ROW(US, "from header|address|domain|field"),
	ROW(US, "return path"),
	ROW(US, "bounces|batv|prvs|dsn|dsns|backscatter*|callback*|callout*"),
	ROW(US, "expediteur*|lexpediteur|emetteur*|lemetteur|absender*|"
	    "remitente*|mittente"),
	ROW(US, "emisor*|expedit*|gonder*|felado*|lahettaj*"),
	ROW(US, "remetente|afzender|nadawc*|avsandar*|afsender|odesilat*"),
	ROW(US, "*тправител*"),
	ROW(US, "*发件人*|*發件人*|*寄件者*|*寄件人*|*送信者*|*差出人*|*送信元*|*发信人*|*发送者*|"
	    "*寄信人*|*보낸*|*발신*"),

	/* The client: name, address, greeting. */
	ROW(US, "client*|helo*|ehlo*|spf|dkim|dmarc|senderid"),
	ROW(US, "ip|ips|ipaddress|ipv4|ipv6|ptr|rdns|dns|fcrdns"),
	ROW(US, "reverse|dynamic|dialup|residential|dhcp|broadband|isp"),
	ROW(US, "dial up"),
	ROW(US, "hostname*|fqdn|resolv*|record|records|zone|qualified"),
	ROW(US, "no|valid|your mx"),
	ROW(US, "your .. host|server|domain|network|provider|mta|system"),
	ROW(US, "your .. account|address|mailserver|smtp"),
	ROW(US, "you|youre are|must|need|should|may|cannot|cant"),
	ROW(US, "you|your|youre .. spam*|blocked|banned"),
	ROW(US, "from you|your|this|that|these|unknown|untrusted|open"),
	ROW(US, "connecting|connections|connection"),
	ROW(US, "votre|ihre|ihr|su|suo|seu .. ip|server|serveur|host"),

	ROW(US, "# is|has|was|not|listed|found|rejected|unknown|invalid|in"),
	ROW(US, "address|host|server|system|network #"),

	/* Lists, reputation, spam. */
	ROW(US, "*blacklist*|*blocklist*|*blackhole*|blackliste*"),
	ROW(US, "*whitelist*|*greylist*|*graylist*|allowlist|denylist"),
	ROW(US, "black|block|white|grey|deny list*"),
	ROW(US, "rbl|rbls|dnsbl*|dnswl|rhsbl|sbl|xbl|pbl|cbl|uribl|surbl"),
	ROW(US, "*reputation*|*spamhaus*|*spamcop*|sorbs|barracudacentral"),
	ROW(US, "senderscore|senderbase|talos*|cloudmark|abuseat|uceprotect*"),
	ROW(US, "spam*|junk*|uce|ube|bulk|harvest*|attack*|honeypot|*trap|"
	    "spoof*"),
	ROW(US, "unsolicited|suspicious|malicious|phish*|virus*|malware"),
	ROW(US, "listed at|on|by"),
	ROW(US, "is|are|was|been|currently listed"),
	ROW(US, "abus*|complain*|botnet|infected|compromised|fraud*|forged|"
	    "fake"),
	ROW(US, "trust*|untrusted|untrustworthy"),
	ROW(US, "lista|liste|listy|lijst negra|nera|noire|czarna|zwarte"),
	ROW(US, "*спам*|*черн*"),
	ROW(US, "*ip地址*|*域名*|*垃圾*|*黑名单*|*黑名單*|*迷惑*|*ブラックリスト*"),

	/* Relaying and authentication. */
	ROW(US, "relay*|*openrelay*|rcpthosts|gateway|smarthost"),
	ROW(US, "*authenti*|auth|authoriz*|authoris*|*unauthori*|login"),
	ROW(US, "log in"),
	ROW(US, "autoriz*|autoris*|nonautoris*|autenti*|authentif*"),
	ROW(US, "credential*|password|sasl|starttls|tls|ssl|encrypt*"),
	ROW(US, "secure|unsecure|insecure|certificate"),
	ROW(US, "smtp server of|for"),
	ROW(US, "local|our|hosted|handled|accepted domain*"),
	ROW(US, "domain*|host .. " NOT " .. accept*|allow*|local|here|hosted"),
	ROW(US, "domain*|host|server ... " NOT " .. exist*|found|valid|known"),
	ROW(US, "unknown|invalid|bad|nonexistent domain|host|server"),
	ROW(US, "domaine*|dominio|domena|domeny|domein|serveur*|servidor|"
	    "rechner"),
	ROW(US, "*реле*|*авториз*|*аутентиф*|*домен*|*сервер*"),

	/* The recipient is there and cannot take mail. */
	ROW(FULL, "*quota|quotas|quote"),
	ROW(FULL, "overquota*|mailboxfull|quotaexceeded|disableduser"),
	ROW(FULL, BOX " .. full|overfull|overflow*"),
	ROW(FULL, "full .. " BOX),
	ROW(FULL, "maildir|mailfolder|folder .. full|over"),
	ROW(FULL, BOX " .. reached|maximum|limit*"),
	ROW(FULL, "mail|email limit exceeded"),
	ROW(FULL, "storage|*speicher*|diskspace|diskquota"),
	ROW(FULL, "disk|storage|space|filesystem .. full|exceed*|exhausted"),
	ROW(FULL, "exceed* ... storage|mailbox|space|size|disk|capacity"),
	ROW(FULL, "out of .. space|room"),
	ROW(FULL, "insufficient|sufficient|enough|no|more .. space|room"),
	ROW(FULL, "space .. enough|left|exhausted"),
	ROW(FULL, "space|storage .. limit*"),
	ROW(FULL, BOX " .. exceed*|over .. limit|limits|size|allocation"),
	ROW(FULL, "over .. limit|size"),
	ROW(FULL, "message|mail|email|messages .. too large|big|long"),
	ROW(FULL, "too large|big|long"),
	ROW(FULL, "larger|bigger than"),
	ROW(FULL, "too much mail|email|data"),
	ROW(FULL, "message|messages|mail|email|file size|length"),
	ROW(FULL, "size .. exceed*|limit*|maximum"),
	ROW(FULL, "exceed*|maximum|max .. size"),
	ROW(FULL, BOX " ... disabled|suspend*|deactivated|inactive|locked"),
	ROW(FULL, BOX " ... frozen|archived|dormant|expired|terminated"),
	ROW(FULL, BOX " ... inactivated|blocked|closed|hibernat*"),
	ROW(FULL, BOX " .. " NOT " .. active|activated|enabled|activ"),
	ROW(FULL, "no longer active"),
	ROW(FULL, "inactivity"),
	ROW(FULL, "on hold"),
	ROW(FULL, BOX " .. too many messages"),
	ROW(FULL, "receive limit"),
	ROW(FULL, "taille|limite .. message"),
	ROW(FULL, "disabled|suspended|deactivated|locked|frozen .. " BOX),
	ROW(FULL, "inactive|dormant|archived|expired .. " BOX),
	ROW(FULL, "*address|@ .. has|is|was .. *disabled|suspended|"
	    "deactivated"),
	ROW(FULL, "*address|@ .. has|is|was .. inactive|locked|frozen|"
	    "archived"),
	ROW(FULL, "been|is|temporarily *disabled|suspended"),
	ROW(FULL, BOX "|@ .. " NOT " .. accepting|receiving|receive|accept "
	    ".. mail|email|message*|new|any"),
	ROW(FULL, "on vacation|holiday|leave"),
	ROW(FULL, "boite|bal|compte ... pleine|saturee|desactive*|suspendu*"),
	ROW(FULL, "boite|compte ... bloque*|inactif|inactive|ferme*|archive*"),
	ROW(FULL, "postfach|mailbox|konto ... voll|ueberfuellt|uberfullt"),
	ROW(FULL, "postfach|konto ... gesperrt|deaktiviert|inaktiv"),
	ROW(FULL, "buzon|cuenta|casilla ... llen*|excedid*|superad*"),
	ROW(FULL, "buzon|cuenta|usuario ... *habilitad*|suspendid*"),
	ROW(FULL, "buzon|cuenta|usuario ... bloquead*|inactiv*|desactivad*"),
	ROW(FULL, "casella|utente|account ... pien*|disabilitat*|sospes*"),
	ROW(FULL, "casella|utente|account ... disattivat*|bloccat*|inattiv*"),
	ROW(FULL, "caixa|conta|usuario ... chei*|lotad*|desativad*|inativ*"),
	ROW(FULL, "caixa|conta|usuario ... suspens*|bloquead*|excedeu"),
	ROW(FULL, "skrzynk*|kont* ... peln*|przepeln*|zablokowan*|nieaktywn*"),
	ROW(FULL, "*ящик* .. *полн*|*заблокир*|*отключ*"),
	ROW(FULL, "*已满*|*已滿*|*超出配*|*容量*|*被禁*|*停用*|*冻结*"),

	/* Policy, in every wording; any of these words is a veto. */
	ROW(US, "block|blocks|blocked|blocking|ban|banned|barred"),
	ROW(US, "polic*|restrict*|prohibit*|forbid*|security|filter*"),
	ROW(US, "permit*|permission*|allowed|allow|unwanted|unwelcome"),
	ROW(US, "rate|rates|throttl*|limit*|exceed*|many|frequen*|flood*"),
	ROW(US, "country|location|region|geo*|firewall|content|attachment*|"
	    "loop*"),
	ROW(US, "service|server .. unavailable|available"),
	ROW(US, "member*|subscriber* .. only"),
	ROW(US, "only ... send|post|accept*|member*"),
	ROW(US, "*mlist|posters|posting|moderat*|preference*|wish|wishes"),
	ROW(US, "reject*|refused by .. recipient*|user*|receiver|rule*"),
	ROW(US, "user*|recipient* refuse|refuses|reject|rejects|declin*"),
	ROW(US, "rejected|refused the|this|to|mail|message*"),
	ROW(US, "violat*|aup|rfc*|standards|greet*|command*|syntax|pipelining"),
	ROW(US, "stranger*|outside|external|internal|foreign|remote|realm"),
	ROW(US, "host|hosts|machine|computer|network*|internet|subnet|"
	    "netblock|proxy|vpn"),
	ROW(US, "you|your|yours|vous|votre|vos|su|suo|sua"),
	ROW(US, "ihr|ihre|ihrem|ihren|ihrer|sie"),
	ROW(US, "bloqu*|interdit*|indesirable*"),
	ROW(US, "blockiert|verboten|gesperrt|richtlinie*|verweigert"),
	ROW(US, "erlaubt|gestattet|zugelassen|berechtig*"),
	ROW(US, "denegad*|prohibid*|permitid*|politica*"),
	ROW(US, "negat*|vietat*|consentit*|bloccat*|permess*|proibid*"),
	ROW(US, "negad*|zablokowan*|odmow*|zabronion*|geblokkeerd"),
	ROW(US, "*запрещ*|*заблокир*|*отказ*|*拒绝*|*拒絕*|*拒否*"),

	/* Microsoft 365: the directory's edge, as its maker documents. */
	STATUS_ROW("5.4.1", NOUSER, "recipient address* rejected .. access "
	    "denied"),
	ROW(US, "access|denied|denies|deny"),

	/* The recipient does not exist. */
	ROW(NOUSER, "recipient*|user*|mailbox .. verif* fail*"),
	ROW(NOUSER, "recipient*|user*|mailbox .. " NOT " .. verified"),
	ROW(NOUSER, "no such .. " WHO),
	ROW(NOUSER, "no such|local|known|valid|matching|mail|email " WHO),
	ROW(NOUSER, "no user|mailbox|account|recipient"),
	ROW(NOUSER, "no " WHO " .. here|by|of|with|found|named|called|for|at"),
	ROW(NOUSER, "nosuchuser|nouser|unknownuser|usernotfound"),
	ROW(NOUSER, "exrecipnotfound|recipnotfound|recipientnotfound"),
	ROW(NOUSER, "invalidrecipient|badrecipient|cuda nsu"),
	ROW(NOUSER, "unknown|undefined .. " WHO),
	ROW(NOUSER, "unknown|illegal|invalid local part"),
	ROW(NOUSER, "unknown or illegal alias"),
	ROW(NOUSER, WHO " .. unknown|undefined|nonexistent|nonexistant"),
	ROW(NOUSER, WHO " .. invalid|inexistent|unroutable|unrouteable"),
	ROW(NOUSER, "invalid|bad|wrong|incorrect .. " WHO),
	ROW(NOUSER, "nonexistent|nonexistant|inexistent|fictitious .. " WHO),
	ROW(NOUSER, "non existent|existant|existing .. " WHO),
	ROW(NOUSER, WHO " ... " NOT " .. exist*|found|known|valid|here"),
	ROW(NOUSER, WHO " ... " NOT " .. recognized|recognised|registered"),
	ROW(NOUSER, WHO " ... " NOT " .. listed|defined|located|match*"),
	ROW(NOUSER, WHO " ... " NOT " .. local|in|have|present|identified"),
	ROW(NOUSER, "@ ... " NOT " .. exist*|found|known|valid|here"),
	ROW(NOUSER, "@ ... " NOT " .. recognized|registered|in|have"),
	ROW(NOUSER, "@ .. unknown|invalid"),
	ROW(NOUSER, "not|isnt|arent a|an|our|my|any .. " WHO),
	ROW(NOUSER, "not|cannot|cant|couldnt|unable .. find|locate .. " WHO
	    "|@"),
	ROW(NOUSER, "not .. in .. directory|database|ldap|book"),
	ROW(NOUSER, "not in .. recipient*|user* list|table|map"),
	ROW(NOUSER, WHO "|@ .. no longer .. valid|here|exist*|on|with"),
	ROW(NOUSER, WHO "|@ .. no longer .. in|employed|available|works"),
	ROW(NOUSER, WHO "|@ .. has left|moved|relocated|retired"),
	ROW(NOUSER, "addressee|recipient|user|mailbox|person .. gone"),
	ROW(NOUSER, "unrouteable|unroutable|undeliverable address"),
	ROW(NOUSER, "not have .. " WHO),
	ROW(NOUSER, "doesnt|dont have .. " WHO),
	ROW(NOUSER, "not found|exist*|known .. " WHO),
	ROW(NOUSER, WHO "|@ .. been|was|is .. deleted|removed|replaced"),
	ROW(NOUSER, "badrcptto|badrecipientto"),
	ROW(NOUSER, "never heard of"),
	ROW(NOUSER, "nobody|noone ... name|here|called|address"),
	ROW(NOUSER, "no one ... name|here|called|address"),

	/* The same in other languages. */
	ROW(NOUSER, "aucun*|ningun*|nessun*|nenhum*|kein*|geen|ingen "
	    "*utilisateur*|destinat*|usuari*|utent*|benutzer|empf*|mailbox|"
	    "postfach|konto|gebruiker|mottagare|adress*|bruger"),
	ROW(NOUSER, "*utilisateur|destinataire*|adresse|*boite|compte ... "
	    "inconnu*|inexistant*|invalide*|incorrect*"),
	ROW(NOUSER, "inconnu*|inexistant* .. *utilisateur|destinataire"),
	ROW(NOUSER, "empf*|benutzer*|adress*|postfach|konto|mailbox ... "
	    "unbekannt|ungueltig|ungultig|existiert|gefunden"),
	ROW(NOUSER, "unbekannt*|ungueltig*|ungultig*|falsch* .. empf*|"
	    "benutzer*|adress*|teilnehmer"),
	ROW(NOUSER, "usuari*|destinatari*|buzon|cuenta|direccion|casilla|"
	    "conta|caixa|endereco ... desconocid*|desconhecid*|inexistente*|"
	    "invalid*|incorrect*|erroneo|errado"),
	ROW(NOUSER, "utente|destinatari*|casella|indirizzo ... sconosciut*|"
	    "inesistente|errat*|valid*|trovat*"),
	ROW(NOUSER, "onbekend*|ongeldig* .. gebruiker|ontvanger|adres"),
	ROW(NOUSER, "gebruiker|ontvanger|adres .. onbekend|bestaat"),
	ROW(NOUSER, "nieznan*|brak uzytkownik*|odbiorc*|adres*|skrzynk*"),
	ROW(NOUSER, "okand|ukendt|ukjent .. anvandare|mottagare|bruger|"
	    "modtager|bruker|mottaker|adress*"),
	ROW(NOUSER, "anvandare*|mottagare*|bruger*|modtager*|bruker*|"
	    "mottaker*|adress* .. okand|ukendt|ukjent|finns|findes|finnes"),
	ROW(NOUSER, "neznam*|bilinmeyen|ismeretlen .. uzivatel*|prijemce|"
	    "kullanici*|alici*|felhasznal*|cimzett"),
	ROW(NOUSER, "*ользовател*|*олучател*|*дресат*|*ящик*|*дрес .. *не|"
	    "*неизвест*|*найден*|*существу*"),
	{NULL, REFUSAL_US, NULL, NULL},
};

const struct classify_status classify_sure_statuses[] = {
	/* The sender's address or its system, by definition. */
	{"5.1.7", US},
	{"5.1.8", US},
	{NULL, REFUSAL_US},
};

const struct classify_status classify_statuses[] = {
	/* Bad destination: address, mailbox, system, syntax, moved, null MX. */
	{"5.1.0", NOUSER},
	{"5.1.1", NOUSER},
	{"5.1.2", NOUSER},
	{"5.1.3", NOUSER},
	{"5.1.6", NOUSER},
	{"5.1.10", NOUSER},
	/* Mailbox disabled, full, message too long for it. */
	{"5.2.", FULL},
	/* Message too big for the system. */
	{"5.3.4", FULL},
	/* The network, security and policy. */
	{"5.4.", US},
	{"5.7.", US},
	{NULL, REFUSAL_US},
};

const struct classify_row classify_weak[] = {
	/* RFC 5321 section 4.2.3, of 550, and its kin. */
	ROW(NOUSER, "mailbox|user|recipient|account .. *unavailable"),
	ROW(NOUSER, "mailbox|user|recipient|account .. " NOT " .. available"),
	ROW(NOUSER, "unavailable .. mailbox|user|recipient|account"),
	ROW(NOUSER, "recipient*|rcpt|address|mailbox .. rejected|refused"),
	ROW(NOUSER, "rejected|refused|bad recipient*|user|mailbox"),
	ROW(NOUSER, "user|recipient|mailbox .. " NOT " local"),
	ROW(NOUSER, "not exist*"),
	ROW(NOUSER, "doesnt|dont exist*"),
	ROW(NOUSER, "nexiste|existe pas|plus"),
	ROW(NOUSER, "existiert|bekannt nicht"),
	ROW(NOUSER, "nicht bekannt|gefunden|vorhanden"),
	ROW(NOUSER, "no|nao|non existe|exist|esiste|encontrad*|trovato"),
	ROW(NOUSER, "nie istnieje|znaleziono"),
	ROW(NOUSER, "neexistuje|bulunamadi|letezik"),
	ROW(NOUSER, "findes|finnes|finns ikke|inte"),
	ROW(NOUSER, "*ет таког*"),
	ROW(NOUSER, "*不存在*|*无此*|*無此*|*无效*|*無效*|*找不到*"),
	ROW(NOUSER, "*存在しま*|*見つかりま*|*宛先不明*|*ユーザー不明*"),
	{NULL, REFUSAL_US, NULL, NULL},
};
/* clang-format on */
