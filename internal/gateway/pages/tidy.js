// A used proof is worth nothing; it need not be read over somebody's shoulder or in the history either.
history.replaceState(null, '', location.pathname);
