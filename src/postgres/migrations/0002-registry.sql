-- What the owner registers: contracts, transitions, who may hold what; and who holds which role.

create table kiff.contracts (
  domain text not null,
  action text not null,
  hash text not null,
  -- The events it may cause: what an action emits, only that action can.
  emits text[] not null,
  registered_at timestamptz not null default clock_timestamp(),
  primary key (domain, action, hash)
);

create table kiff.transitions (
  domain text not null,
  entity_type text not null,
  event_type text not null,
  from_state text,
  to_state text not null,
  -- The permission of those who may report it; null: nobody may, only an action emits it.
  reported_by text,
  unique nulls not distinct (domain, entity_type, event_type, from_state)
);

create table kiff.role_permissions (
  domain text not null,
  role text not null,
  permission text not null,
  primary key (domain, role, permission)
);

create table kiff.memberships (
  domain text not null,
  actor text not null,
  role text not null,
  primary key (domain, actor, role)
);

-- Moves whenever anything above moves, so that a gate can tell that what it read still holds.
create table kiff.role_epochs (
  domain text primary key,
  epoch bigint not null default 1
);

create function kiff.permissions_of(p_domain text, p_actor text) returns setof text
language sql stable as $$
  select distinct permission from kiff.memberships join kiff.role_permissions using (domain, role)
  where domain = p_domain and actor = p_actor
$$;

create function kiff.holds(p_domain text, p_actor text, p_permission text) returns boolean
language sql stable as $$ select exists (select from kiff.permissions_of(p_domain, p_actor) held where held = p_permission) $$;

-- Owner only. Replaces a domain's registered rules with those of the code being deployed; old contract hashes stay known.
create function kiff.register_domain(p_domain text, p_rules jsonb) returns void
language plpgsql as $$
begin
  insert into kiff.role_epochs (domain) values (p_domain) on conflict (domain) do update set epoch = kiff.role_epochs.epoch + 1;
  insert into kiff.contracts (domain, action, hash, emits)
    select p_domain, action, hash, emits from jsonb_to_recordset(p_rules -> 'contracts') as c(action text, hash text, emits text[]) on conflict do nothing;
  delete from kiff.transitions where domain = p_domain;
  insert into kiff.transitions
    select distinct p_domain, entity_type, event_type, from_state, to_state, reported_by
    from jsonb_to_recordset(p_rules -> 'transitions') as t(entity_type text, event_type text, from_state text, to_state text, reported_by text);
  delete from kiff.role_permissions where domain = p_domain;
  insert into kiff.role_permissions
    select distinct p_domain, role, permission from jsonb_to_recordset(p_rules -> 'roles') as r(role text, permission text);
end $$;

-- Owner only. Grants or revokes one role, audited on the domain's roles chain. False when nothing changed. A role that the domain
-- no longer has can still be revoked, lest its holders come back with it.
create function kiff.change_membership(p_body text) returns boolean
language plpgsql as $$
declare b jsonb := p_body::jsonb; v_chain bigint := kiff.lock_chain('roles', b ->> 'domain'); v_rows int;
begin
  if b ->> 'kind' = 'role_granted' and not exists (select from kiff.role_permissions where domain = b ->> 'domain' and role = b ->> 'role') then
    raise exception 'domain % has no role %', b ->> 'domain', b ->> 'role' using errcode = 'no_data_found';
  end if;
  if b ->> 'kind' = 'role_granted' then
    insert into kiff.memberships (domain, actor, role) values (b ->> 'domain', b ->> 'actor', b ->> 'role') on conflict do nothing;
  elsif b ->> 'kind' = 'role_revoked' then
    delete from kiff.memberships where domain = b ->> 'domain' and actor = b ->> 'actor' and role = b ->> 'role';
  else
    raise exception 'unknown kind %', b ->> 'kind';
  end if;
  get diagnostics v_rows = row_count;
  if v_rows = 0 then return false; end if;
  update kiff.role_epochs set epoch = epoch + 1 where domain = b ->> 'domain';
  perform kiff.append(v_chain, p_body, '{role_granted,role_revoked}');
  return true;
end $$;
