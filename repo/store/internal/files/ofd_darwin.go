package files

// setLock is F_OFD_SETLK of <sys/fcntl.h>, which x/sys does not have.
const setLock = 90
