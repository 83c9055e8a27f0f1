# SPDX-License-Identifier: BSD-2-Clause
# libdaemon: what a long-running program needs, and nothing else does
libdaemon_la_SOURCES += \
	common/control.c common/control.h \
	common/daemon.c common/daemon.h \
	common/local_socket.c common/local_socket.h \
	common/reload.c common/reload.h
