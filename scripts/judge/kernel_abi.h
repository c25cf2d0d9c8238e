/* SPDX-License-Identifier: MIT */
/*
 * kernel_abi.h - what the kernel wants of a filter of system calls (seccomp(2),
 * seccomp_unotify(2), bpf(4)) and of a question about a socket (netlink(7),
 * sock_diag(7)). The kernel's own headers are not everywhere where a C library
 * is: not beside musl on many systems, and older ones know less than the kernel
 * that runs. The kernel never changes these numbers and layouts.
 */
#ifndef WOULDBLOCK_KERNEL_ABI_H
#define WOULDBLOCK_KERNEL_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>

/* --- linux/seccomp.h ------------------------------------------------------ */

#define SECCOMP_MODE_FILTER              2
#define SECCOMP_SET_MODE_FILTER          1
#define SECCOMP_GET_NOTIF_SIZES          3
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1U << 3)
#define SECCOMP_RET_KILL_PROCESS         0x80000000U
#define SECCOMP_RET_ERRNO                0x00050000U
#define SECCOMP_RET_USER_NOTIF           0x7fc00000U
#define SECCOMP_RET_ALLOW                0x7fff0000U
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1U

struct seccomp_data {
    int nr;
    uint32_t arch;
    uint64_t instruction_pointer;
    uint64_t args[6];
};

struct seccomp_notif_sizes {
    uint16_t seccomp_notif, seccomp_notif_resp, seccomp_data;
};

struct seccomp_notif {
    uint64_t id;
    uint32_t pid, flags;
    struct seccomp_data data;
};

struct seccomp_notif_resp {
    uint64_t id;
    int64_t val;
    int32_t error;
    uint32_t flags;
};

#define SECCOMP_IOCTL_NOTIF_RECV _IOWR('!', 0, struct seccomp_notif)
#define SECCOMP_IOCTL_NOTIF_SEND _IOWR('!', 1, struct seccomp_notif_resp)

/* --- linux/filter.h ------------------------------------------------------- */

struct sock_filter {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};

struct sock_fprog {
    unsigned short len;
    struct sock_filter *filter;
};

#define BPF_LD   0x00
#define BPF_JMP  0x05
#define BPF_RET  0x06
#define BPF_W    0x00
#define BPF_ABS  0x20
#define BPF_JEQ  0x10
#define BPF_JGT  0x20
#define BPF_JGE  0x30
#define BPF_JSET 0x40
#define BPF_K    0x00
/* clang-format off */
#define BPF_STMT(code, k) { (uint16_t)(code), 0, 0, (k) }
#define BPF_JUMP(code, k, yes, no) { (uint16_t)(code), (yes), (no), (k) }
/* clang-format on */

/* --- linux/audit.h -------------------------------------------------------- */

/* The number of a kind of processor in ELF, and flags for 64 bits and for
 * little-endian. */
#define AUDIT_ARCH_I386    (3U | 0x40000000U)
#define AUDIT_ARCH_ARM     (40U | 0x40000000U)
#define AUDIT_ARCH_X86_64  (62U | 0xc0000000U)
#define AUDIT_ARCH_AARCH64 (183U | 0xc0000000U)
#define AUDIT_ARCH_RISCV64 (243U | 0xc0000000U)

/* --- linux/netlink.h ------------------------------------------------------ */

#define NETLINK_SOCK_DIAG 4
#define NLM_F_REQUEST     1

struct nlmsghdr {
    uint32_t nlmsg_len;
    uint16_t nlmsg_type, nlmsg_flags;
    uint32_t nlmsg_seq, nlmsg_pid;
};

struct nlmsgerr {
    int error;
    struct nlmsghdr msg;
};

#define NLMSG_DATA(head) ((void *)((char *)(head) + sizeof(struct nlmsghdr)))

/* --- linux/sock_diag.h, linux/inet_diag.h --------------------------------- */

#define SOCK_DIAG_BY_FAMILY 20
#define INET_DIAG_NOCOOKIE  (~0U)

/* Ports and addresses are in network order. */
struct inet_diag_sockid {
    uint16_t idiag_sport, idiag_dport;
    uint32_t idiag_src[4], idiag_dst[4];
    uint32_t idiag_if;
    uint32_t idiag_cookie[2];
};

struct inet_diag_req_v2 {
    uint8_t sdiag_family, sdiag_protocol, idiag_ext, pad;
    uint32_t idiag_states;
    struct inet_diag_sockid id;
};

struct inet_diag_msg {
    uint8_t idiag_family, idiag_state, idiag_timer, idiag_retrans;
    struct inet_diag_sockid id;
    uint32_t idiag_expires, idiag_rqueue, idiag_wqueue;
    uint32_t idiag_uid, idiag_inode;
};

#endif
