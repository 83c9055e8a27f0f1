# SPDX-License-Identifier: BSD-2-Clause
# posternctl
bin_PROGRAMS += tools/posternctl
tools_posternctl_SOURCES = \
	tools/classify.c tools/classify.h \
	tools/command.h \
	tools/ctl_conf.c \
	tools/posternctl.c \
	tools/rcpt.c \
	tools/remote.c
tools_posternctl_LDADD = libdaemon.la libpostern.la
