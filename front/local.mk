# SPDX-License-Identifier: BSD-2-Clause
# postern-front
pkglibexec_PROGRAMS += front/postern-front
noinst_LTLIBRARIES += libfront.la
libfront_la_SOURCES = \
	front/buffer.c front/buffer.h \
	front/channel.c front/channel.h \
	front/commands.c front/commands.h \
	front/dialogue.c front/dialogue.h \
	front/ehlo_edit.c front/ehlo_edit.h \
	front/extensions.c front/extensions.h \
	front/front.h \
	front/identity.c front/identity.h \
	front/link.c front/link.h \
	front/message.c front/message.h \
	front/opening.c front/opening.h \
	front/registry.c front/registry.h \
	front/replies.c front/replies.h \
	front/requests.c front/requests.h \
	front/starttls.c front/starttls.h
libfront_la_LIBADD = libdaemon.la libpostern.la
front_postern_front_SOURCES = front/main.c
front_postern_front_LDADD = libfront.la libdaemon.la libpostern.la
